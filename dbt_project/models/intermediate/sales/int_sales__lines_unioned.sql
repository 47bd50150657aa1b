with

lines as (
    select
        record_key as sales_line_key,
        'pos_standard' as template,
        sender,
        receipt_id,
        line_number,
        line_type,
        product_code,
        quantity,
        unit_price,
        list_amount,
        discount_amount,
        tax_amount,
        cost_amount,
        promotion_code,
        coupon_code,
        tax_code,
        tax_share,
        salesperson_code_token,
        reason_code,
        original_receipt_id,
        original_line_number,
        sold_at,
        batch_id
    from {{ ref('stg_pos_standard__lines') }}

    union all

    select
        record_key as sales_line_key,
        'web_order' as template,
        sender,
        order_id as receipt_id,
        line_number,
        line_type,
        product_code,
        quantity,
        unit_price,
        list_amount,
        discount_amount,
        tax_amount,
        cost_amount,
        promotion_code,
        coupon_code,
        cast(null as varchar) as tax_code,
        tax_share,
        cast(null as varchar) as salesperson_code_token,
        reason_code,
        original_order_id as original_receipt_id,
        original_line_number,
        ordered_at as sold_at,
        batch_id
    from {{ ref('stg_web_order__lines') }}
)

select * from lines
