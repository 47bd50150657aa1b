with

-- Who settles a tender of this type; what is not listed never passes through a provider.
settled_types as (
    select
        tender_type_key,
        case
            when tender_type_code in ('alipay', 'wechat') then tender_type_code
            when family = 'card' or tender_type_code = 'wallet' then 'acquirer'
        end as provider_kind
    from {{ ref('dim_tender_type') }}
),

-- A sender that gives no bills of a provider has nothing that could be missing in them.
billed as (
    select
        sender,
        provider_kind,
        min(provider) as provider,
        {{ newest_day('business_date') }} as newest_settled_date
    from {{ ref('int_settlement__lines_dated') }}
    group by sender, provider_kind
),

-- A receipt that is no sale should be paid by nobody: what is settled for it is a difference.
expected as (
    select
        tenders.tender_key,
        tenders.transaction_key,
        tenders.sender,
        billed.provider,
        settled_types.provider_kind,
        tenders.tender_type_key,
        tenders.store_key,
        tenders.store_durable_key,
        tenders.business_date,
        billed.newest_settled_date,
        tenders.sold_at,
        tenders.is_sale,
        tenders.amount,
        cast(case when tenders.is_sale then tenders.amount else 0 end as decimal(18, 4))
            as expected_amount,
        tenders.currency_code,
        tenders.receipt_id,
        tenders.reference_number,
        tenders.authorisation_code,
        tenders.batch_id
    from {{ ref('fct_tender') }} as tenders
    inner join settled_types on tenders.tender_type_key = settled_types.tender_type_key
    inner join billed
        on
            tenders.sender = billed.sender
            and settled_types.provider_kind = billed.provider_kind
    where tenders.amount != 0
)

select * from expected
