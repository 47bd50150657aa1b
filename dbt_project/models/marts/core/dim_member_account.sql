with

described as (
    select
        sender,
        member_number_token,
        customer_durable_key,
        programme_code,
        joined_date,
        tier,
        status,
        expiry_date,
        changed_at,
        valid_from_at,
        valid_to_at,
        is_current,
        is_inferred,
        changed_batch_id
    from {{ ref('int_customer__accounts_described') }}
),

keyed as (
    select
        {{ surrogate_key([
            "'member_account_version'", 'sender', 'member_number_token', 'changed_at'
        ]) }} as member_account_key,
        {{ surrogate_key(["'member_account'", 'sender', 'member_number_token']) }}
            as member_account_durable_key,
        sender,
        customer_durable_key,
        programme_code,
        joined_date,
        tier,
        status,
        expiry_date,
        valid_from_at,
        valid_to_at,
        is_current,
        is_inferred,
        changed_batch_id
    from described
),

members as (
    {{ contracted('keyed') }}
    union all
    {{ reserved_members(
        key_columns=['member_account_key', 'member_account_durable_key'],
        name_columns=[],
        given={
            'customer_durable_key': '-2',
            'valid_from_at': beginning_of_time(),
            'valid_to_at': end_of_time(),
            'is_current': 'true',
            'is_inferred': 'false',
            'changed_batch_id': '0',
        }
    ) }}
)

select * from members
