{#-
    Words of praise and of complaint in English, Chinese and Persian, as one regular expression.

    Complaints are taken out of a text before praise is counted, so that a negated word of praise
    (not good, 不好, خوب نبود) counts as the complaint it is.
-#}
{% macro lexicon_words(tone) -%}
    {%- set words = {
        'complaint': [
            '\\b(not|never|no|isn.t|wasn.t|don.t|didn.t) (\\w+ )?'
            ~ '(good|great|fresh|worth|recommend|happy|like|love|satisfied)',
            '\\b(bad|terrible|awful|poor|worst|broken|late|slow|rude|expensive|rotten|stale|dirty'
            ~ '|disappoint\\w*|refund|waste|wrong|never again)\\b',
            '不好|不满|不新鲜|不值|不推荐|不喜欢|不会再|没有货',
            '差|坏|贵|慢|失望|糟|难吃|难用|退款|垃圾|投诉|脏|假',
            'خوب نبود|خوب نیست|راضی نیستم|راضی نبودم|توصیه نمی|پیشنهاد نمی|دوست نداشتم|تازه نبود',
            'بد|افتضاح|گران|کند|کثیف|خراب|ناراضی|دیر|ضعیف|بی.کیفیت|پشیمان',
        ],
        'praise': [
            '\\b(good|great|excellent|love\\w*|like|fresh|fast|friendly|recommend\\w*|perfect'
            ~ '|amazing|best|happy|nice|clean|helpful|satisfied|worth|delicious|quick|cheap)\\b',
            '好|棒|喜欢|满意|新鲜|推荐|快|便宜|值|赞|优秀|好吃|干净|热情|完美',
            'خوب|عالی|راضی|تازه|پیشنهاد می|توصیه می|دوست داشتم|سریع|ارزان|تمیز|بهترین',
            'خوشمزه|مودب|ممنون',
        ],
    } -%}
    {{ return('(?i)(' ~ words[tone] | join('|') ~ ')') }}
{%- endmacro %}
