"""Where mail is kept: schema, transactions and the records that come out of them."""
