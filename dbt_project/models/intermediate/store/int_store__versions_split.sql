with

stores as (
    select
        stores.sender,
        stores.store_code,
        stores.effective_at as stated_at,
        stores.name,
        stores.banner,
        stores.store_type,
        stores.format,
        stores.industry,
        stores.region,
        stores.city,
        stores.country_code,
        stores.time_zone,
        stores.currency_code,
        stores.cut_off_hour,
        stores.opened_at as opened_date,
        stores.closed_at as closed_date,
        stores.batch_id,
        {{ is_conflicted('store__store', 'stores') }} as is_conflicted
    from {{ ref('stg_store__stores') }} as stores
),

versions as (
    {{ version_intervals(
        'stores',
        ['sender', 'store_code'],
        [
            'banner', 'store_type', 'format', 'industry', 'region', 'city', 'country_code',
            'time_zone', 'currency_code', 'cut_off_hour'
        ]
    ) }}
),

-- What holds for the whole history: spelling of the name, first and last trading day.
corrected as (
    select
        sender,
        store_code,
        name,
        opened_date,
        closed_date
    from stores
    qualify row_number() over (partition by sender, store_code order by stated_at desc) = 1
),

described as (
    select
        versions.sender,
        versions.store_code,
        versions.version_number,
        corrected.name,
        stores.banner,
        stores.store_type,
        stores.format,
        stores.industry,
        stores.region,
        stores.city,
        stores.country_code,
        stores.time_zone,
        stores.currency_code,
        stores.cut_off_hour,
        corrected.opened_date,
        corrected.closed_date,
        versions.changed_at,
        versions.valid_from_at,
        versions.valid_to_at,
        versions.is_current,
        versions.changed_batch_id
    from versions
    inner join stores
        on
            versions.sender = stores.sender
            and versions.store_code = stores.store_code
            and versions.last_stated_at = stores.stated_at
    inner join corrected
        on versions.sender = corrected.sender and versions.store_code = corrected.store_code
)

select * from described
