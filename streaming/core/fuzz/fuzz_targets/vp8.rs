#![no_main]

zhuandi_fuzz::target!("vp8");
