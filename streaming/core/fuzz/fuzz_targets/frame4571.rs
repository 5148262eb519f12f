#![no_main]

zhuandi_fuzz::target!("frame4571");
