{{ contact_members('google_customer_match') }}
