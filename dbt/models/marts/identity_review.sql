select
    reviews.review_id,
    reviews.reason,
    reviews.erp_system,
    reviews.erp_customer_id,
    reviews.customer_name,
    reviews.crm_system,
    reviews.crm_account_id,
    reviews.crm_account_name,
    reviews.match_rule,
    reviews.match_confidence,
    reviews.reference
from {{ ref('int_identity_reviews_collected') }} as reviews
