"""Invoice proposals up to posting: load, check, plan, content, and the operations that write.

Pure files work on what `load` read; only `operations` write.
"""
