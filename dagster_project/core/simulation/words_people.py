"""Words that people's names, streets and log-ins are made of, per country.

Every person is a chance combination; none is meant.
"""

from __future__ import annotations

# Surname and its reading; some readings are those a surname has and the character has not.
SURNAMES_ZH = (
    ("王", "wang"), ("李", "li"), ("张", "zhang"), ("刘", "liu"), ("陈", "chen"), ("杨", "yang"),
    ("赵", "zhao"), ("黄", "huang"), ("周", "zhou"), ("吴", "wu"), ("徐", "xu"), ("孙", "sun"),
    ("胡", "hu"), ("朱", "zhu"), ("高", "gao"), ("林", "lin"), ("何", "he"), ("郭", "guo"),
    ("马", "ma"), ("罗", "luo"), ("单", "shan"), ("曾", "zeng"), ("解", "xie"), ("仇", "qiu"),
    ("区", "ou"), ("乐", "yue"), ("朴", "piao"), ("欧阳", "ouyang"), ("司徒", "situ"),
)  # fmt: skip
GIVEN_ZH = (
    ("明", "ming"), ("丽", "li"), ("伟", "wei"), ("芳", "fang"), ("静", "jing"), ("磊", "lei"),
    ("洋", "yang"), ("娜", "na"), ("杰", "jie"), ("婷", "ting"), ("建国", "jianguo"),
    ("雪梅", "xuemei"), ("文博", "wenbo"), ("子涵", "zihan"), ("浩然", "haoran"),
    ("思雨", "siyu"), ("晓东", "xiaodong"), ("玉兰", "yulan"), ("嘉怡", "jiayi"),
    ("志强", "zhiqiang"), ("春燕", "chunyan"), ("海波", "haibo"), ("若曦", "ruoxi"),
    ("天宇", "tianyu"), ("秀英", "xiuying"), ("一鸣", "yiming"),
)  # fmt: skip
SURNAMES_FA = (
    ("کریمی", "karimi"), ("محمدی", "mohammadi"), ("رضایی", "rezaei"), ("حسینی", "hosseini"),
    ("احمدی", "ahmadi"), ("جعفری", "jafari"), ("مرادی", "moradi"), ("صادقی", "sadeghi"),
    ("کاظمی", "kazemi"), ("رستمی", "rostami"), ("یزدانی", "yazdani"), ("شریفی", "sharifi"),
    ("نوری", "nouri"), ("قاسمی", "ghasemi"), ("اکبری", "akbari"), ("سلیمی", "salimi"),
    ("بهرامی", "bahrami"), ("فرهادی", "farhadi"), ("کیانی", "kiani"), ("تهرانی", "tehrani"),
)  # fmt: skip
GIVEN_FA = (
    ("علی", "ali"), ("مریم", "maryam"), ("رضا", "reza"), ("زهرا", "zahra"), ("کاوه", "kaveh"),
    ("سارا", "sara"), ("آرش", "arash"), ("نیلوفر", "niloofar"), ("کیان", "kian"),
    ("شیرین", "shirin"), ("بهروز", "behrooz"), ("لیلا", "leila"), ("یاسمن", "yasaman"),
    ("پویا", "pouya"), ("ندا", "neda"), ("سیاوش", "siavash"), ("پریسا", "parisa"),
    ("امیر", "amir"), ("هانیه", "hanieh"), ("کیمیا", "kimia"),
)  # fmt: skip
SURNAMES_EN = (
    "Ashdown", "Barlow", "Cotterill", "Dunmore", "Eastgate", "Fairholm", "Garrick", "Hallam",
    "Inglewood", "Jessop", "Kendrick", "Larkin", "Merton", "Norcott", "Oakden", "Penhale",
    "Quill", "Rushworth", "Stanmore", "Thornley", "Upcott", "Varley", "Wexford", "Yarrow",
    "O'Dell", "St. Clare", "Blythe-Hart",
)  # fmt: skip
GIVEN_EN = (
    "Alice", "Benjamin", "Chloe", "Daniel", "Eleanor", "Felix", "Grace", "Henry", "Imogen",
    "Jack", "Katherine", "Leo", "Martha", "Nathan", "Olivia", "Peter", "Rosalind", "Samuel",
    "Tessa", "Victor", "William", "Zoe",
)  # fmt: skip
# Given names that people shorten on a second form.
SHORT_EN = {
    "Benjamin": "Ben", "Daniel": "Dan", "Eleanor": "Nell", "Katherine": "Kate", "Samuel": "Sam",
    "William": "Will", "Olivia": "Liv", "Nathan": "Nate",
}  # fmt: skip
STREETS = {
    "CN": ("和平路", "人民街", "灯笼巷", "新华路", "莲花街", "翠竹路", "望江路", "云台街"),
    "IR": ("خیابان بهار", "خیابان فانوس", "کوچه یاس", "بلوار کشاورز", "خیابان نیکی", "کوچه کاج"),
    "GB": ("Lantern Street", "Mill Lane", "Orchard Road", "Castle Way", "Bridge Row", "Elm Court"),
}
MAIL_DOMAINS = ("example.com", "example.org", "example.net")
# Prefixes of mobile numbers; the rest is drawn, so that no number is anybody's on purpose.
MOBILE = {"CN": ("138", "139", "150", "186"), "IR": ("0912", "0935", "0919"),
          "GB": ("07400", "07911")}  # fmt: skip
# First six digits that card schemes reserve for tests.
CARD_BINS = {
    "CN": (("620000", "UnionPay test"), ("411111", "Visa test"), ("555555", "Mastercard test")),
    "IR": (("510510", "Mastercard test"), ("424242", "Visa test")),
    "GB": (("411111", "Visa test"), ("555555", "Mastercard test"), ("400005", "Visa test")),
}
