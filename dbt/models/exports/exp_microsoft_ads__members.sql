{{ contact_members('microsoft_ads') }}
