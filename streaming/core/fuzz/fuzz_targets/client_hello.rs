#![no_main]

zhuandi_fuzz::target!("client_hello");
