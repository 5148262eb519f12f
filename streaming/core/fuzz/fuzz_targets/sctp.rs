#![no_main]

zhuandi_fuzz::target!("sctp");
