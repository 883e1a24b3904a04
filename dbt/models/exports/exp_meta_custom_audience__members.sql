{{ contact_members('meta_custom_audience') }}
