"""What people write about goods: sentences by language and mood; ``{good}`` is the article."""

from __future__ import annotations

PLATFORMS = {
    "zh": ("weibo", "xiaohongshu", "shop_review"),
    "fa": ("instagram", "telegram", "shop_review"),
    "en": ("x", "instagram", "shop_review"),
}
MOODS = ("positive", "neutral", "negative")
POSTS = {
    "zh": {
        "positive": (
            "{good}很新鲜，孩子特别喜欢，会回购！",
            "物流很快，{good}包装完好，五星好评。",
            "店员态度很好，{good}性价比高👍",
        ),
        "neutral": ("今天买了{good}，还没试。", "{good}一般般吧，没有特别的感觉。"),
        "negative": (
            "{good}太失望了，和图片不一样，要退货。",
            "等了一个星期才到，{good}还坏了。",
            "排队半小时，{good}又卖完了😡",
        ),
    },
    "fa": {
        "positive": (
            "{good} خیلی تازه و خوشمزه بود، حتما دوباره می‌خرم.",
            "ارسال سریع و بسته‌بندی عالی، از {good} راضی‌ام 👍",
            "قیمت {good} مناسب و کیفیتش عالی است.",
        ),
        "neutral": ("امروز {good} خریدم، هنوز امتحان نکرده‌ام.", "{good} معمولی بود."),
        "negative": (
            "{good} اصلا خوب نبود، پولم را پس می‌خواهم.",
            "خیلی دیر رسید و {good} خراب بود.",
            "باز هم {good} تمام شده بود، ناامید شدم.",
        ),
    },
    "en": {
        "positive": (
            "Love the {good}, fresh and good value. Will buy again!",
            "Quick delivery, {good} well packed. Five stars.",
            "Friendly staff and the {good} is excellent 👍",
        ),
        "neutral": ("Bought the {good} today, not tried it yet.", "The {good} is okay, I guess."),
        "negative": (
            "Really disappointed with the {good}, asking for a refund.",
            "Waited a week and the {good} arrived broken.",
            "Queued half an hour and the {good} was sold out again 😡",
        ),
    },
}
