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

IN_APPS = {
    "WhatsApp on an iPhone": f"{_IPHONE} Mobile/15E148 WhatsApp/24.20.79",
    "WhatsApp on Android": f"{_ANDROID} Version/4.0 Chrome/134.0.6998.136 Mobile Safari/537.36 WhatsApp/2.24.20.89",
    "LINE on an iPhone": f"{_IPHONE} Mobile/15E148 Safari Line/14.12.0",
    "LINE on Android": f"{_ANDROID} Version/4.0 Chrome/134.0.6998.136 Mobile Safari/537.36 Line/14.12.0/IAB",
    "Instagram": f"{_IPHONE} Mobile/15E148 Instagram 345.0.4.17.73 (iPhone15,2; iOS 18_5; de_DE; de; scale=3.00)",
    "Facebook on an iPhone": f"{_IPHONE} Mobile/15E148 [FBAN/FBIOS;FBAV/470.0.0.39.105;FBBV/617541423;FBDV/iPhone15,2]",
    "Facebook on Android": f"{_ANDROID} Version/4.0 Chrome/134.0.6998.136 Mobile Safari/537.36 "
    "[FB_IAB/FB4A;FBAV/470.0.0.39.105;]",
    "Messenger": f"{_IPHONE} Mobile/15E148 [FBAN/MessengerForiOS;FBAV/465.0.0.36.106;FBDV/iPhone15,2]",
    "Telegram on Android": "Mozilla/5.0 (Linux; Android 15; K) AppleWebKit/537.36 (KHTML, like Gecko) "
    "Chrome/134.0.6998.136 Mobile Safari/537.36 Telegram-Android/11.8.3 (Xiaomi 24031PN0DC; Android 15; SDK 35; HIGH)",
    "Viber on Android": f"{_ANDROID} Version/4.0 Chrome/134.0.6998.136 Mobile Safari/537.36 Viber/24.5.1.0",
    "Viber on an iPhone": f"{_IPHONE} Mobile/15E148 Viber/24.5.1",
    "KakaoTalk": f"{_ANDROID} Version/4.0 Chrome/134.0.6998.136 Mobile Safari/537.36;KAKAOTALK 2510690",
    "Naver": f"{_IPHONE} Mobile/15E148 NAVER(inapp; search; 2000; 12.9.5; 15PRO)",
    "VK": f"{_ANDROID} Version/4.0 Chrome/134.0.6998.136 Mobile Safari/537.36 VKAndroidApp/8.115-26152 vkShare",
    "X": f"{_IPHONE} Mobile/15E148 Twitter for iPhone/10.70",
    "LinkedIn": f"{_IPHONE} Mobile/15E148 [LinkedInApp]/9.30.1234",
    "Pinterest": f"{_IPHONE} Mobile/15E148 [Pinterest/iOS]",
    "Snapchat": f"{_IPHONE} Mobile/15E148 Snapchat/13.20.0.41 (like Safari/8620.2.4.10.7, panda)",
    "TikTok": f"{_ANDROID} Version/4.0 Chrome/134.0.6998.136 Mobile Safari/537.36 trill_380502 BytedanceWebview/d8",
    "Slack on a desk": "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/537.36 (KHTML, like Gecko) "
    "Slack/4.42.117 Chrome/132.0.6834.210 Electron/34.2.0 Safari/537.36 Slack_SSB/4.42.117",
    "Discord": "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) discord/1.0.9190 "
    "Chrome/130.0.6723.191 Electron/33.4.0 Safari/537.36",
    "Teams": "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/132.0.0.0 "
    "Safari/537.36 Edg/132.0.0.0 Teams/25060.205.3499.6849/49 SkypeSpaces/1415",
    "QQ": f"{_ANDROID} Version/4.0 Chrome/109.0.5414.86 MQQBrowser/6.2 Mobile Safari/537.36 V1_AND_SQ_9.1.60 QQ/9.1.60",
    "DingTalk": f"{_IPHONE} Mobile/15E148 AliApp(DingTalk/7.6.50) com.laiwang.DingTalk/42 language/zh-CN",
    "Feishu": f"{_IPHONE} Mobile/15E148 Lark/7.40.7 LarkLocale/zh_CN ChannelName/Feishu",
    "Baidu": f"{_IPHONE} Mobile/15E148 Safari/604.1 baiduboxapp/13.85.0.10",
    "Yandex": f"{_IPHONE} YaBrowser/25.4.3.512.10 YaApp_iOS/25.44 Mobile/15E148 Safari/604.1",
    "Google": f"{_IPHONE} GSA/365.0.755 Mobile/15E148 Safari/604.1",
    "Huawei's search": "Mozilla/5.0 (Linux; Android 12; HarmonyOS; ALN-AL00) AppleWebKit/537.36 (KHTML, like Gecko) "
    "Chrome/114.0.5735.196 HuaweiBrowser/15.0.8.302 PetalSearch/12.0.4 Mobile Safari/537.36",
    "Internet Explorer": "Mozilla/5.0 (compatible; MSIE 10.0; Windows NT 6.2; Trident/6.0)",
}
"""The browsers inside messengers and other apps: people sit before them."""

PREVIEWS = {
    "WhatsApp": "WhatsApp/2.24.20.89 A",
    "WhatsApp on a desk": "WhatsApp/2.2412.54 W",
    "Signal": "WhatsApp/2",
    "Viber": "Viber/24.5.1.0 CFNetwork/1568.300.101 Darwin/24.2.0",
    "Slack": "Slackbot-LinkExpanding 1.0 (+https://api.slack.com/robots)",
    "Slack's pictures": "Slack-ImgProxy (+https://api.slack.com/robots)",
    "Telegram": "TelegramBot (like TwitterBot)",
    "Facebook": "facebookexternalhit/1.1 (+http://www.facebook.com/externalhit_uatext.php)",
    "LINE": "facebookexternalhit/1.1;line-poker/1.0",
    "KakaoTalk": "facebookexternalhit/1.1; kakaotalk-scrap/1.0; +https://devtalk.kakao.com/t/scrap/33984",
    "Meta": "meta-externalagent/1.1 (+https://developers.facebook.com/docs/sharing/webmasters/crawler)",
    "iMessage": "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_11_1) AppleWebKit/601.2.4 (KHTML, like Gecko) Version/9.0.1 "
    "Safari/601.2.4 facebookexternalhit/1.1 Facebot Twitterbot/1.0",
    "X": "Twitterbot/1.0",
    "LinkedIn": "LinkedInBot/1.0 (compatible; Mozilla/5.0; Apache-HttpClient +http://www.linkedin.com)",
    "Discord": "Mozilla/5.0 (compatible; Discordbot/2.0; +https://discordapp.com)",
    "Skype": "Mozilla/5.0 (Windows NT 6.1; WOW64) SkypeUriPreview Preview/0.5",
    "VK": "Mozilla/5.0 (compatible; vkShare; +http://vk.com/dev/Share)",
    "Snapchat": "Snap URL Preview Service; bot; snapchat; https://developers.snap.com/robots",
    "LINE's search": "Mozilla/5.0 (compatible; Linespider/1.1; +https://lin.ee/4dwXkTH)",
    "Google": "Mozilla/5.0 AppleWebKit/537.36 (KHTML, like Gecko; compatible; Googlebot/2.1; "
    "+http://www.google.com/bot.html) Chrome/134.0.6998.88 Safari/537.36",
    "Google's pictures": "Googlebot-Image/1.0",
    "Bing": "Mozilla/5.0 AppleWebKit/537.36 (KHTML, like Gecko; compatible; bingbot/2.0; "
    "+http://www.bing.com/bingbot.htm) Chrome/116.0.1938.76 Safari/537.36",
    "Apple": "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_5) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/13.1.1 "
    "Safari/605.1.15 (Applebot/0.1; +http://www.apple.com/go/applebot)",
    "Baidu": "Mozilla/5.0 (compatible; Baiduspider-render/2.0; +http://www.baidu.com/search/spider.html)",
    "Sogou": "Sogou web spider/4.0(+http://www.sogou.com/docs/help/webmasters.htm#07)",
    "ByteDance": "Mozilla/5.0 (Linux; Android 5.0) AppleWebKit/537.36 (KHTML, like Gecko) Mobile Safari/537.36 "
    "(compatible; Bytespider; spider-feedback@bytedance.com)",
    "Yandex": "Mozilla/5.0 (compatible; YandexBot/3.0; +http://yandex.com/bots)",
    "Huawei": "Mozilla/5.0 (Linux; Android 7.0;) AppleWebKit/537.36 (KHTML, like Gecko) Mobile Safari/537.36 "
    "(compatible; PetalBot;+https://webmaster.petalsearch.com/site/petalbot)",
}
"""Those that fetch a link to show what is behind it."""
