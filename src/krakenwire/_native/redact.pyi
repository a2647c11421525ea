from krakenwire.tape.redact import may_hold_secret as may_hold_secret
