"""The roof: home, navigation, checklist, audit trail, seals, health, the pages of errors."""
