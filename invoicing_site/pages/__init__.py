"""Pages of the site: home, navigation, checklist, audit trail, seals, health, error pages."""
