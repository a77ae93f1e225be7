// Sends one mail with nodemailer: the options of its transport and of its mail come as JSON on standard input,
// what it says of the result goes as JSON to standard output.
"use strict";
const nodemailer = require("nodemailer");

async function main() {
  const { transport, mail } = JSON.parse(require("fs").readFileSync(0, "utf8"));
  const client = nodemailer.createTransport(transport);
  try {
    const { accepted, rejected, response } = await client.sendMail(mail);
    return { accepted, rejected, response };
  } catch (error) {
    return { accepted: [], rejected: error.rejected || [], response: error.response || error.message };
  } finally {
    client.close();
  }
}

main().then((result) => process.stdout.write(JSON.stringify(result)));
