// Shows what the buyer's page, or a push, has to say, and leads back to it. It keeps nothing and is in no page's way.

self.addEventListener("push", (event) => {
  const { title, body, url, tag } = event.data.json();
  event.waitUntil(self.registration.showNotification(title, { body, tag, data: url }));
});

self.addEventListener("notificationclick", (event) => {
  event.notification.close();
  const page = new URL(event.notification.data, self.location).href;
  const find = self.clients.matchAll({ type: "window", includeUncontrolled: true });
  event.waitUntil(find.then((tabs) => tabs.find((tab) => tab.url === page)?.focus() ?? self.clients.openWindow(page)));
});
