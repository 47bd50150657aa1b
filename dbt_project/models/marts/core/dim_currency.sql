{%- set records = {
    'int_sales__receipt_codes_collected': 'currency_code',
    'int_tender__codes_collected': 'currency_code',
    'stg_web_order__orders': 'currency_code',
    'stg_store__stores': 'currency_code',
    'stg_exchange_rate__rates': 'base_currency_code',
} %}

with

-- ISO 4217: names and decimal places of the currencies retailers are paid in most.
listed as (
    select
        currencies.currency_code,
        currencies.name,
        currencies.decimal_places
    from (
        values
        ('AED', 'UAE dirham', 2), ('AUD', 'Australian dollar', 2), ('BHD', 'Bahraini dinar', 3),
        ('BRL', 'Brazilian real', 2), ('CAD', 'Canadian dollar', 2), ('CHF', 'Swiss franc', 2),
        ('CLP', 'Chilean peso', 0), ('CNY', 'Yuan renminbi', 2), ('CZK', 'Czech koruna', 2),
        ('DKK', 'Danish krone', 2), ('EUR', 'Euro', 2), ('GBP', 'Pound sterling', 2),
        ('HKD', 'Hong Kong dollar', 2), ('HUF', 'Forint', 2), ('IDR', 'Rupiah', 2),
        ('ILS', 'New Israeli sheqel', 2), ('INR', 'Indian rupee', 2), ('IQD', 'Iraqi dinar', 3),
        ('IRR', 'Iranian rial', 2), ('ISK', 'Iceland krona', 0), ('JOD', 'Jordanian dinar', 3),
        ('JPY', 'Yen', 0), ('KRW', 'Won', 0), ('KWD', 'Kuwaiti dinar', 3),
        ('MOP', 'Pataca', 2), ('MXN', 'Mexican peso', 2), ('MYR', 'Malaysian ringgit', 2),
        ('NOK', 'Norwegian krone', 2), ('NZD', 'New Zealand dollar', 2), ('OMR', 'Rial Omani', 3),
        ('PHP', 'Philippine peso', 2), ('PKR', 'Pakistan rupee', 2), ('PLN', 'Zloty', 2),
        ('QAR', 'Qatari rial', 2), ('RUB', 'Russian ruble', 2), ('SAR', 'Saudi riyal', 2),
        ('SEK', 'Swedish krona', 2), ('SGD', 'Singapore dollar', 2), ('THB', 'Baht', 2),
        ('TND', 'Tunisian dinar', 3), ('TRY', 'Turkish lira', 2), ('TWD', 'New Taiwan dollar', 2),
        ('UAH', 'Hryvnia', 2), ('USD', 'US dollar', 2), ('VND', 'Dong', 0), ('ZAR', 'Rand', 2)
    ) as currencies (currency_code, name, decimal_places)
),

seen as (
    {%- for record, code in records.items() %}
    select {{ code }} as currency_code
    from {{ ref(record) }} as {{ record }}
    where {{ code }} is not null
    union
    {%- endfor %}
    select quote_currency_code as currency_code
    from {{ ref('stg_exchange_rate__rates') }} as quotes
),

described as (
    select
        coalesce(listed.currency_code, seen.currency_code) as currency_code,
        coalesce(listed.name, seen.currency_code) as name,
        listed.decimal_places,
        coalesce(listed.currency_code, seen.currency_code) = {{ reporting_currency() }}
            as is_reporting,
        listed.currency_code is null as is_inferred
    from listed
    full outer join seen on listed.currency_code = seen.currency_code
),

keyed as (
    select
        {{ surrogate_key(["'currency'", 'currency_code']) }} as currency_key,
        currency_code,
        name,
        decimal_places,
        is_reporting,
        is_inferred
    from described
),

members as (
    {{ contracted('keyed') }}
    union all
    {{ reserved_members(
        key_columns=['currency_key'],
        name_columns=['name'],
        given={'is_reporting': 'false', 'is_inferred': 'false'}
    ) }}
)

select * from members
