{{ contact_members('linkedin_contacts') }}
