// WeChat's own share card: what "send to a friend" in WeChat's menu sends is the friend's page, not the one it is opened on.

const place = document.getElementById("wechat-card");

async function begin() {
  const answer = await fetch(place.dataset.to + location.search); // a page is signed by its address as it stands
  if (!answer.ok) return;
  const { config, card } = await answer.json();
  window.wx.config(config);
  window.wx.ready(() => {
    window.wx.updateAppMessageShareData(card);
    window.wx.updateTimelineShareData(card);
  });
}

if (place && window.wx) begin().catch(() => {}); // without a card WeChat sends the page's own title and address
