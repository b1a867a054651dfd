const { defineConfig } = require("@medusajs/framework/utils");

const { ADMIN, DATABASE_URL, FRIENDPAY_KEY, FRIENDPAY_SECRET, FRIENDPAY_URL } = process.env;
const host = new URL(DATABASE_URL).searchParams.get("host"); // a unix socket's folder

module.exports = defineConfig({
  projectConfig: {
    databaseUrl: DATABASE_URL,
    databaseDriverOptions: { connection: { ssl: false, ...(host ? { host } : {}) } },
    http: { storeCors: "*", adminCors: "*", authCors: "*", jwtSecret: "of a test", cookieSecret: "of a test" },
  },
  admin: { disable: !ADMIN },
  plugins: ["friendpay-medusa"],
  modules: [
    {
      resolve: "@medusajs/medusa/payment",
      options: {
        providers: [
          {
            resolve: "friendpay-medusa/providers/friendpay",
            id: "friendpay",
            options: { url: FRIENDPAY_URL, key: FRIENDPAY_KEY, secret: FRIENDPAY_SECRET },
          },
        ],
      },
    },
  ],
});
