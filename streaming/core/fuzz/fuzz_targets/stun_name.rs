#![no_main]

zhuandi_fuzz::target!("stun_name");
