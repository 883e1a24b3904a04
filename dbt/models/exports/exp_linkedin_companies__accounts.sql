with members as (
    select * from {{ ref('exp_linkedin_companies__members') }}
    where ineligible_reason is null
),

accounts as (
    select * from {{ ref('exp_generic__accounts') }}
),

final as (
    select
        accounts.audience,
        accounts.account_key,
        accounts.account_name as companyname,
        accounts.website_domain as companywebsite,
        accounts.email_domain as companyemaildomain,
        -- a page of a person is personal data, and matches no company
        case
            when
                lower(accounts.linkedin_url) like '%linkedin.com/company/%'
                then accounts.linkedin_url
        end as linkedincompanypageurl,
        cast(null as string) as stocksymbol,
        accounts.industry,
        accounts.city,
        accounts.region as state,
        accounts.country_code as companycountry,
        accounts.postal_code as zipcode
    from members
    inner join accounts
        on
            members.audience = accounts.audience
            and members.account_key = accounts.account_key
)

select * from final
