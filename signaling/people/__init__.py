"""Who is who: rosters, accounts, rights, devices."""
