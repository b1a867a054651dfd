"""Filter for text of strangers that another person reads (links, contacts, seals, Unicode tricks). Whoever typed it is
told what to leave out; what a shop sends is made harmless instead.
"""

import re
import unicodedata
from functools import lru_cache

from django.utils.translation import gettext_lazy as _

from friendpay.kit import limits
from friendpay.kit.characters import invisible
from friendpay.kit.errors import Refused

_ENDINGS = (
    "com|cn|net|org|io|me|cc|top|xyz|info|app|shop|link|vip|co|ru|tk|ly|to|gg|site|online|store|club|live|pro|biz|de|fr|es|"
    "br|in|id|jp|kr|tw|hk|uk|us|eu|ai|dev|pay|page|рф|中国|中國|公司|网络|भारत"
)
_DOTS = "。．｡․‧∙⋅・•·"
_PLAIN = (
    {ord(dot): "." for dot in _DOTS}
    | dict.fromkeys(map(ord, "∕⁄⧸"), "/")
    | {0x1F1E6 + place: chr(ord("a") + place) for place in range(26)}  # flags' letters
)
_SAID_DOT = "dot|punkt|punto|point|ponto|точка|点|點|ドット|닷|점|titik|نقطة|डॉट"
_LINK = re.compile(
    r"://|\bwww\b|\w@\w|(?<!\w)@\w{4,}|(?<!\w)(?:javascript|data|mailto|tel|sms|skype|tg|weixin|alipays?):\S|"
    r"(?<![\w.])[a-z0-9-]+\.[a-z]{2,}/\S|"  # t.me/x
    rf"[\w-]+\s?\.\s?(?:{_ENDINGS})(?!\w)(?!\s+\w+\s+\w)|"
    rf"[\w-]\s*[(\[]?\s*(?:{_SAID_DOT}|\.(?!\s*me))\s*[)\]]?\s*(?:com|cn|net|org|ru|io|me|info|top|xyz)(?![a-z])|"
    r"[\w-]\s?\.\s?c\s?[o0]\s?m(?!\w)|"
    r"(?<!\d)\d{1,3}(?:\.\d{1,3}){3}(?!\d)"
)
_NO_ENDING = "and|but|bye|or|the|then|you|we|he|she|they|thanks|please|yes|js|pdf|jpe?g|txt"  # a blank was forgotten
_SHAPE = re.compile(  # any ending: not "tea.It"
    rf"(?<![\w.])[A-Za-z0-9-]{{2,}}\.(?!(?:{_NO_ENDING})(?!\w))(?:[a-z]{{2,24}}|[A-Z]{{2,24}})(?![\w])"
)

_DATE = re.compile(
    r"(?<!\d)(?:(?:19|20)\d\d\s?[-./年]\s?[01]?\d\s?[-./月]\s?[0-3]?\d日?|[0-3]?\d[-./][0-3]?\d[-./](?:19|20)?\d\d)(?!\d)"
    r"|(?<!\d)[0-2]?\d[:：][0-5]\d(?!\d)|(?<!\d)(?:19|20)\d\d\s?[-–/]\s?(?:19|20)\d\d(?!\d)"
)
_CURRENCY = r"(?:[¥$€£₩₹₽円元원]|rp|rmb|cny|usd|eur|jpy|krw|inr|rub|brl|руб|ريال|won|yen|euros?)"
_GROUPS = r"\d{1,3}(?:[,.\s']\d{2,3}){1,3}(?:[.,]\d{1,2})?"
_SUM = re.compile(
    rf"(?<![\d.,])(?:{_CURRENCY}\s?{_GROUPS}|{_GROUPS}\s?{_CURRENCY}|\d{{1,3}}(?:,\d{{2,3}}){{1,3}}(?:\.\d{{1,2}})?|"
    r"\d{1,4}[.,]\d{1,2}|[1-9]0{5,8})(?![\d])(?![.,\s-]{1,2}\d)"
)
_NUMBER = re.compile(r"\d(?:[\W_]{0,4}\d){6,}")
_POSING = re.compile(r"(?<![a-z0-9])(?=[a-z]*\d[a-z]*\d)[0-9oil|]{7,}(?![a-z0-9])")  # letters for figures
_ACCOUNT = re.compile(r"(?<![a-z0-9])(?=(?:[a-z]*\d){3})(?=\d*[a-z])[a-z0-9]{20,}")  # of a bank, or of a coin

_WORDS = {
    word: str(digit)
    for line in (
        "zero one two three four five six seven eight nine",
        "cero uno dos tres cuatro cinco seis siete ocho nueve",
        "zéro un deux trois quatre cinq six sept huit neuf",
        "zero um dois três quatro cinco seis sete oito nove",
        "ноль один два три четыре пять шесть семь восемь девять",
        "صفر واحد اثنان ثلاثة أربعة خمسة ستة سبعة ثمانية تسعة",
        "शून्य एक दो तीन चार पांच छह सात आठ नौ",
        "nol satu dua tiga empat lima enam tujuh delapan sembilan",
        "null eins zwei drei vier fünf sechs sieben acht neun",
        "zero uno due tre quattro cinque sei sette otto nove",
        "sıfır bir iki üç dört beş altı yedi sekiz dokuz",
        "không một hai ba bốn năm sáu bảy tám chín",
        "ศูนย์ หนึ่ง สอง สาม สี่ ห้า หก เจ็ด แปด เก้า",
        "ゼロ いち に さん よん ご ろく なな はち きゅう",
        "공 하나 둘 셋 넷 다섯 여섯 일곱 여덟 아홉",
    )
    for digit, word in enumerate(line.split())
} | {"oh": "0"}
_TIMES = {"double": 2, "triple": 3}
_TWICE = re.compile(r"\b(double|triple)\s(\w+)")
_FIGURE = "[0-9零〇○一二三四五六七八九壹贰叁肆伍陆柒捌玖幺공영일이삼사오육칠팔구]"  # said one by one
_SPELLED = re.compile(rf"{_FIGURE}(?:[\s,、.-]?{_FIGURE}){{6,}}")

_APP = (
    r"we\s?chat|wei\s?xin|微\s?信|薇信|威信|[vw]信|[vw微薇][❤♥💚🧡💛💙]|[微薇]x|卫星|衛星|企鹅|企鵝|抖音|小红书|小紅書|"
    r"whats\s?app|[wg]u?as+ap+|ватсап|вотсап|вац+ап|вайб|واتساب|واتس|व्हाट्सएप|telegr?a?m(?![a-z])|телег\w*|тг(?!\w)|تيليجرام|"
    r"(?<![a-z])(?:vx|wx|tg|qq|wa)(?![a-z])|(?:on|by|via|my)\s+line(?![a-z])|(?<=[^\x00-\x7f])line(?![a-z])|"
    r"(?<![a-z])line(?=[^\x00-\x7f])|(?<![a-z])line\s?(?:id|:)|ライン|라인|ไลน์|賴|扣扣|viber|kakao\w*|カカオ|카카오|카톡|zalo|"
    r"insta\w*|انست\w*|snap\s?chat|سناب\w*|tik\s?tok|discord|تلي?جرام|skype|signal|facebook|messenger|"
    r"(?<![a-z])(?:(?:on|my|di|en|im)\s+ig|(?:n[ao]|um|pel[ao]|meu|al|por|mi)\s+(?:whats|zap))(?![a-z])"
)
_ASKS = (
    r"\b(?:add|pm|text|write|message|msg|contact|reach|ping|find|hit|follow)\s+(?:to\s+)?(?:me|my|us|our)\b|\bdm\b|"
    r"加我|加一下|加个|加賴|加入?好友|追加|連絡し|추가|친추|연락|"
    r"agr[eé]g\w*me|a[ñn][aá]d\w*me|escr[ií]b\w*me|cont[aá]ct\w*me|"
    r"ajoute[zr]?[\s-](?:moi|mon)|[ée]cri[svt]\w*[\s-]moi|contacte\w*[\s-]moi|"
    r"me\sadicion\w+|adicion\w+\s(?:meu|me)|\bcham(?:a|e|ar)\b|\bmand(?:a|e|ar)\b|"
    r"добав\w+|(?:на)?пиши\w*\s*(?:мне|в)|текст\w*\sмне|стукн\w+|маякн\w+|"
    r"أضف\S*|اضف\S*|راسل\S*|تواصل|تابع\S*|كلم\S*|जोड़\S*|ऐड|संपर्क|"
    r"tambah\w*|hubungi|\bchat\s(?:saya|aku)|kontak\s(?:saya|aku)|"
    r"scriv\w*mi|contatt\w*mi|aggiung\w*mi|schreib\w*\s(?:mir|uns)|füge?\smich|\b(?:bana|beni)\b|['’]tan\syaz|"
    r"nhắn|kết\sbạn|ทัก|แอด|아이디"
)
_FOREIGN = (  # names of apps that no Latin word follows by chance
    r"微信|薇信|威信|卫星|衛星|企鹅|企鵝|抖音|小红书|小紅書|カカオ|ライン|카카오\S*|라인|카톡|انست\S*|سناب\S*|واتس\S*|تلي?جرام"
)
_NAMED = re.compile(  # an app, and who somebody is there
    rf"(?:{_APP})[\s号號:@_]{{0,3}}(?!\d+\s?{_CURRENCY})(?:(?=[a-z._-]+\d)[a-z\d._-]{{4,}}|\d{{5,}})|"
    rf"(?:{_APP})\s?[a-z]+_\w+|wxid_\w+|"
    rf"(?:{_FOREIGN})[^\W\da-z]{{0,4}}[\s:@]{{1,3}}(?!pay)[a-z]{{4,}}|(?:line|ライン)\s?(?:交換|友達)|"
    r"(?<![a-z])(?:paypal|venmo|zelle|cash\s?app|revtag|revolut)[.:\s]{1,2}(?:(?:me|to)\b|[@$])|(?<!\w)[$@][a-z]{4,}|"
    r"(?<![a-z])(?:ig|snap|insta|wa|tg|vx|wx)\s?[:=]\s?\w{3,}|(?<![a-z])(?:wa\s(?:saya|aku|me)|dm\s(?:\w+\s)?ig)(?![a-z])|"
    r"\w{3,}#\d{4}(?!\d)"
)
_BY_APP = re.compile(rf"(?:{_ASKS}).{{0,30}}(?:{_APP})|(?:{_APP}).{{0,30}}(?:{_ASKS})")
_HANDLE = re.compile(rf"(?:{_APP})\s*(?:id|号|號|号码)?\s*(?:[:=]|id\b|号|號|(?<=:))\s*[是为]?\s*[\w.-]{{3,}}")
_TO_ME = re.compile(  # money that would go past the page, and apps that somebody is asked to use
    r"\b(?:to|into)\s+(?:my|our)\s+(?:own\s+|bank\s+|private\s+)*(?:accounts?|cards?|paypal|venmo|zelle|revolut|wise|wallet)\b|"
    r"\bme\s+(?:on|by|via|per|over)\s+(?:paypal|venmo|zelle|revolut|cash\s?app|western\s?union)\b|"
    r"(?<![a-z])(?:paypal|venmo|zelle|revolut|wise)\s+(?=[a-z._-]*\d)[a-z\d._-]{4,}|"
    r"\b(?:auf|an)\s+mein\s+(?:konto|paypal)\b|\bsur\s+mon\s+(?:compte|paypal)\b|\b(?:a|en)\s+mi\s+cuenta\b|"
    r"\b(?:na|para)\s+(?:a\s+)?minha\s+conta\b|\bsul\s+mio\s+conto\b|на\s+(?:мою\s+карту|мой\s+сч[её]т)|"
    r"[转轉](?:账|帳|帐|款)?(?:到|给|給)我|打到我的?(?:卡|账|帳|帐)|내\s?계좌|私の口座|hesabıma|tài\s?khoản\s?(?:của\s)?(?:tôi|mình)|"
    r"(?<![a-z])(?:whats\s?app|telegram|viber|zalo|signal)\s+(?:me|us)\b|"
    r"(?<![a-z])(?:v\s?x|w\s?x|q\s?q|t\s?g)\s?[:=]\s?\w{3,}"
)
_ADD_ME = re.compile(
    r"加\s*(?:我|个|下|一下)?\s*的?\s*(?:微|薇|威|v(?![a-z])|vx|wx|qq?(?![a-z])|扣|line(?![a-z]))|"
    r"[+➕]\s*(?:v|vx|wx|薇|微)(?![a-z])"
)

_SEALS = re.compile("[✓✔☑🗸🗹⍻🮱]")
_SEALED = re.compile(
    r"[✅🔒🛡🏅√].{0,12}(?:verif|official|officiel|oficial|провер|офиц|موثق|सत्यापित|"
    r"認証|公式|认证|認證|官方|인증|공식|resmi|terverifikasi)"
)
_TITLE = re.compile(  # what no friend is: checked by us, or of a shop, a wallet or a bank
    r"[✅🛡🔒🔐🏅🎖√®]|\b(?:verified|official|support|helpdesk|customer (?:service|care)|admin(?:istrator)?|moderator|"
    r"friendpay|(?:security|payments?|fraud) (?:team|cent(?:er|re)|department)|alipay|wechat\s?pay|paypal|stripe|"
    r"mastercard)\b|"
    r"已认证|已認證|官方|客服|管理员|管理員|安全中心|支付宝|支付寶|微信支付|認証済|公式|サポート|運営|管理者|인증|공식|고객\s?(?:센터|지원)|관리자|운영(?:자|팀|진)|"
    r"проверен|официальн|поддержк|администратор|модератор|موثق|حساب رسمي|الحساب الرسمي|خدمة العملاء|الدعم|"
    r"सत्यापित|ग्राहक सेवा|सहायता केंद्र|"
    r"verificad[oa]|oficial|soporte|suporte|atenci[óo]n al cliente|atendimento|vérifié|officiel|service client|"
    r"kundendienst|terverifikasi|(?:akun|toko|admin) resmi|layanan pelanggan|"
    r"\A(?:system|bank|banco|banque|系统|系統|银行|銀行|은행|банк)\Z"
)
_ALIKE = str.maketrans(  # letters that pass for Latin ones: Cyrillic, and small capitals
    "аеорсхуіѕԁɯᴀʙᴄᴅᴇꜰɢʜɪᴊᴋʟᴍɴᴏᴘʀꜱᴛᴜᴠᴡʏᴢ", "aeopcxyisdwabcdefghijklmnoprstuvwyz"
)


def check(text: str, *, field: str = "message") -> str:
    """Refuse what leads a reader elsewhere, poses as a seal, or paints over the page. The text as it is kept: in lines
    so few that what comes after it on a page is still seen.
    """
    match _fault(text):
        case "signs":
            raise Refused("unreadable", _("Please leave out the stacked signs."), field=field, status=422)
        case "seal":
            raise Refused("looks_like_a_seal", _("Please leave out ticks and seals."), field=field, status=422)
        case "contact":
            raise Refused(
                "message_has_contact",
                _("Please leave out links, addresses and phone numbers."),
                field=field,
                status=422,
            )
    return _in_few_lines(text)


def check_name(name: str, *, field: str = "name") -> None:
    """The same for a name, which claims no office either."""
    check(name, field=field)
    folded = _folded(name)
    if _TITLE.search(folded) or _TITLE.search(folded.translate(_ALIKE)):
        raise Refused("looks_like_a_seal", _("Please leave out ticks and seals."), field=field, status=422)


def line(text: str) -> str:
    """A text as one line, without invisible characters and with few marks on a letter: so a shop's data is shown."""
    kept, marks = [], 0
    for char in unicodedata.normalize("NFC", " ".join(text.split())):
        marks = marks + 1 if unicodedata.category(char) in ("Mn", "Me") else 0
        joins = char in "\u200c\u200d\ufe0f"  # within emoji, and between letters of Hindi and Persian
        if marks <= limits.MARKS_OF_A_LETTER and (joins or not invisible(char)):
            kept.append(char)
    cleaned = "".join(kept).strip()
    return cleaned if any(not invisible(char) and not char.isspace() for char in cleaned) else ""


def name(text: str) -> str:
    """A buyer's name as a shop sends it, made harmless: the first word where the whole leads elsewhere, "" at worst."""
    whole = line(_SEALS.sub("", text).replace("✅", ""))
    for candidate in (whole, whole.split(" ")[0]):
        try:
            check_name(candidate)
            return candidate
        except Refused:
            continue
    return ""


@lru_cache(maxsize=limits.TEXTS_KNOWN)  # most are the same few: names, goods, the message we propose
def _fault(text: str) -> str:
    """What is wrong with it; "" where nothing is."""
    if _stacked(text):
        return "signs"
    if _seal(text):
        return "seal"
    return "contact" if _contact(text) else ""


def _in_few_lines(text: str) -> str:
    lines = re.sub(r"\n(?:[^\S\n]*\n){2,}", "\n\n", re.sub(r"\r\n?", "\n", text)).split("\n")
    most = limits.LINES_OF_A_TEXT
    return "\n".join([*lines[: most - 1], " ".join(filter(None, lines[most - 1 :]))] if len(lines) > most else lines)


def _stacked(text: str) -> bool:
    marks = 0
    for char in unicodedata.normalize("NFC", text):
        marks = marks + 1 if unicodedata.category(char) in ("Mn", "Me") and not invisible(char) else 0
        if marks > limits.MARKS_OF_A_LETTER:
            return True
    return False


def _seal(text: str) -> bool:
    return bool(_SEALS.search(text) or _SEALED.search(_folded(text)))


def _contact(text: str) -> bool:
    plain = _visible(text)
    folded = _folded(text)
    if _LINK.search(folded) or _LINK.search(folded.translate(_ALIKE)) or _SHAPE.search(plain):
        return True
    close = re.sub(r"(?<!\w)((?:\w[\s._*-]){3,}\w)(?!\w)", lambda found: re.sub(r"[\s._*-]", "", found[1]), folded)
    bare = "".join(char for char in folded if unicodedata.category(char) != "So")  # letters parted by pictures
    for form in {folded, close, bare, folded.translate(_ALIKE), folded.replace("_", " ")}:
        if _BY_APP.search(form) or _HANDLE.search(form) or _ADD_ME.search(form) or _LINK.search(form):
            return True
        if _NAMED.search(form) or _ACCOUNT.search(form) or _TO_ME.search(form):
            return True
    return _has_number(folded)


def _has_number(folded: str) -> bool:
    """Seven figures or more, however they are spaced or said; dates, times and sums are none."""
    left = _TWICE.sub(lambda found: f"{found[2]} " * _TIMES[found[1]], _SUM.sub("x", _DATE.sub("x", folded)))
    said = re.sub(r"[^\s\d_.,;:()/-]+", lambda found: f" {_WORDS[found[0]]} " if found[0] in _WORDS else found[0], left)
    return any(_NUMBER.search(form) or _POSING.search(form) for form in (left, said)) or bool(_SPELLED.search(left))


def _visible(text: str) -> str:
    return "".join(char for char in unicodedata.normalize("NFKC", text) if not invisible(char))


def _folded(text: str) -> str:
    """A text as disguises leave it: small letters, plain dots and figures, nothing invisible."""
    plain = _visible(text.translate(_PLAIN)).casefold()
    return "".join(str(unicodedata.digit(char)) if char.isdigit() and not char.isascii() else char for char in plain)
