"""How browsers introduce themselves: the words that tell where a page is opened, as devices send them."""

_WEBKIT = "AppleWebKit/605.1.15 (KHTML, like Gecko)"
_IPHONE = f"Mozilla/5.0 (iPhone; CPU iPhone OS 18_5 like Mac OS X) {_WEBKIT}"
_ANDROID = (
    "Mozilla/5.0 (Linux; Android 15; 24031PN0DC Build/AQ3A.240627.003; wv) AppleWebKit/537.36 (KHTML, like Gecko)"
)

SAFARI_IPHONE = f"{_IPHONE} Version/18.5 Mobile/15E148 Safari/604.1"
CHROME_ANDROID = (
    "Mozilla/5.0 (Linux; Android 10; K) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Mobile Safari/537.36"
)
HARMONY = (
    "Mozilla/5.0 (Phone; OpenHarmony 5.0) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/132.0.0.0 ArkWeb/6.0 Mobile"
)
WECHAT_IPHONE = f"{_IPHONE} Mobile/15E148 MicroMessenger/8.0.60(0x18003c2f) NetType/WIFI Language/zh_CN"
WECHAT_ANDROID = (
    f"{_ANDROID} Version/4.0 Chrome/134.0.6998.136 Mobile Safari/537.36 XWEB/1340123 MMWEBSDK/20250503 "
    "MicroMessenger/8.0.60.2860(0x28003C51) WeChat/arm64 Weixin NetType/5G Language/zh_CN ABI/arm64"
)
WECHAT_WINDOWS = (
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/132.0.0.0 Safari/537.36 "
    "NetType/WIFI MicroMessenger/7.0.20.1781(0x6700143B) WindowsWechat(0x63090a13) XWEB/13871"
)
WECHAT_MAC = (
    f"Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) {_WEBKIT} MicroMessenger/6.8.0(0x16080000) NetType/WIFI "
    "MacWechat/3.8.10(0x13080a10) Chrome/132.0.0.0"
)
WECOM = f"{_IPHONE} Mobile/15E148 wxwork/4.1.38 MicroMessenger/7.0.1 Language/zh ColorScheme/Light"
MINI_PROGRAM = f"{WECHAT_ANDROID} MiniProgramEnv/android miniProgram/wx0123456789abcdef"
ALIPAY_IPHONE = (
    f"{_IPHONE} Mobile/15E148 Ariver/1.1.0 AliApp(AP/10.7.20.6000) Nebula WK RVKType(0) "
    "AlipayDefined(nt:WIFI,ws:390|780|3.0) AlipayClient/10.7.20.6000 Language/zh-Hans"
)
ALIPAY_ANDROID = (
    f"{_ANDROID} Version/4.0 Chrome/132.0.0.0 UWS/5.12.10 Mobile Safari/537.36 UCBS/5.12 ChannelId(0) NebulaSDK/1.8 "
    "Nebula AlipayDefined(nt:5G,ws:393|0|2.75) AliApp(AP/10.7.20.6000) AlipayClient/10.7.20.6000 Language/zh-Hans"
)
CHROME_DESKTOP = "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Safari/537.36"
