"""The verbs of the accountant's room, by what they act on.

Import them from the module of the noun: the plans that are carried out here import `vouchers`, so that this
file imports nothing.
"""
