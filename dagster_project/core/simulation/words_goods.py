"""Words that the range is made of: departments, categories, goods in three languages, brands.

A good is ``(English, Chinese, Persian, dollars, unit)``: dollars is the usual price of one unit
(each, kg or l).
"""

from __future__ import annotations

from dataclasses import dataclass

Good = tuple[str, str, str, float, str]


@dataclass(frozen=True)
class Department:
    """One department: is its stock perishable, is it taxed as food, and what it holds."""

    name: str
    is_perishable: bool
    is_food: bool
    season: tuple[float, int]  # share up or down over the year, and the day of the year of the top
    categories: dict[str, tuple[Good, ...]]


DEPARTMENTS = (
    Department("Fresh", True, True, (0.10, 190), {
        "Fruit": (
            ("Apples", "苹果", "سیب", 1.6, "kg"),
            ("Pomegranates", "石榴", "انار", 2.4, "kg"),
            ("Oranges", "橙子", "پرتقال", 1.5, "kg"),
        ),
        "Vegetables": (
            ("Tomatoes", "番茄", "گوجه فرنگی", 1.3, "kg"),
            ("Cucumbers", "黄瓜", "خیار", 1.1, "kg"),
        ),
        "Dairy": (
            ("Yogurt", "酸奶", "ماست", 1.4, "each"),
            ("Milk", "牛奶", "شیر", 1.2, "each"),
        ),
        "Bakery": (
            ("Flatbread", "大饼", "نان", 0.9, "each"),
            ("Sesame Bun", "芝麻包", "نان کنجدی", 0.7, "each"),
        ),
    }),
    Department("Pantry", False, True, (0.06, 10), {
        "Rice and noodles": (
            ("Jasmine Rice", "香米", "برنج", 3.8, "each"),
            ("Wheat Noodles", "面条", "رشته", 1.7, "each"),
        ),
        "Spices": (
            ("Saffron", "藏红花", "زعفران", 6.5, "each"),
            ("Chilli Oil", "辣椒油", "روغن فلفل", 2.6, "each"),
        ),
        "Sweets": (
            ("Pistachio Nougat", "开心果糖", "گز", 4.2, "each"),
            ("Mooncake", "月饼", "کلوچه", 3.6, "each"),
        ),
        "Nuts": (
            ("Walnuts", "核桃", "گردو", 5.2, "each"),
            ("Sunflower Seeds", "葵花籽", "تخمه", 1.9, "each"),
        ),
    }),
    Department("Drinks", False, True, (0.22, 200), {
        "Tea": (
            ("Green Tea", "绿茶", "چای سبز", 4.4, "each"),
            ("Black Tea", "红茶", "چای سیاه", 3.9, "each"),
        ),
        "Juice": (
            ("Cherry Juice", "樱桃汁", "آب آلبالو", 2.2, "each"),
            ("Plum Juice", "酸梅汤", "آب آلو", 1.8, "each"),
        ),
        "Water": (
            ("Spring Water", "矿泉水", "آب معدنی", 0.6, "each"),
            ("Sparkling Water", "气泡水", "آب گازدار", 0.8, "each"),
        ),
    }),
    Department("Household", False, False, (0.04, 75), {
        "Cleaning": (
            ("Washing Powder", "洗衣粉", "پودر لباسشویی", 5.6, "each"),
            ("Dish Soap", "洗洁精", "مایع ظرفشویی", 2.3, "each"),
        ),
        "Paper": (
            ("Tissues", "纸巾", "دستمال کاغذی", 1.9, "each"),
            ("Kitchen Roll", "厨房纸", "حوله کاغذی", 2.2, "each"),
        ),
        "Kitchen": (
            ("Tea Glass", "茶杯", "استکان", 3.1, "each"),
            ("Rice Cooker", "电饭煲", "پلوپز", 32.0, "each"),
        ),
    }),
    Department("Beauty", False, False, (0.08, 320), {
        "Skin care": (
            ("Rose Water", "玫瑰水", "گلاب", 4.8, "each"),
            ("Hand Cream", "护手霜", "کرم دست", 3.7, "each"),
            ("Face Mask", "面膜", "ماسک صورت", 2.9, "each"),
        ),
        "Hair care": (
            ("Shampoo", "洗发水", "شامپو", 4.6, "each"),
            ("Hair Oil", "护发油", "روغن مو", 6.1, "each"),
        ),
    }),
    Department("Clothing", False, False, (0.15, 340), {
        "Knitwear": (
            ("Wool Scarf", "羊毛围巾", "شال پشمی", 17.0, "each"),
            ("Gloves", "手套", "دستکش", 9.5, "each"),
        ),
        "Basics": (
            ("Cotton Socks", "棉袜", "جوراب نخی", 3.4, "each"),
            ("T-Shirt", "T恤", "تی شرت", 8.8, "each"),
        ),
    }),
    Department("Electronics", False, False, (0.05, 330), {
        "Small appliances": (
            ("Kettle", "电水壶", "کتری برقی", 24.0, "each"),
            ("Hair Dryer", "吹风机", "سشوار", 21.0, "each"),
        ),
        "Accessories": (
            ("Charging Cable", "充电线", "کابل شارژ", 6.2, "each"),
            ("Earphones", "耳机", "هدفون", 14.5, "each"),
            ("Batteries", "电池", "باتری", 3.3, "each"),
        ),
    }),
)  # fmt: skip

BRANDS = (
    ("Lotus", "莲花", "نیلوفر"), ("Cypress", "松柏", "سرو"), ("Crane", "仙鹤", "درنا"),
    ("Moonlit", "月光", "مهتاب"), ("Harbour", "港湾", "بندر"), ("Lantern Own", "灯笼", "فانوس"),
    ("Sunrise", "朝阳", "طلوع"), ("Silk Road", "丝路", "ابریشم"),
)  # fmt: skip
SIZES = ("small", "medium", "large", "family")

# Bought together more often than chance: the second follows the first with this probability.
COMPANIONS = (
    ("Green Tea", "Pistachio Nougat", 0.35),
    ("Tomatoes", "Cucumbers", 0.40),
    ("Washing Powder", "Dish Soap", 0.30),
    ("Charging Cable", "Earphones", 0.35),
    ("Shampoo", "Hair Oil", 0.30),
)
