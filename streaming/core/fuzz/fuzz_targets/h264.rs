#![no_main]

zhuandi_fuzz::target!("h264");
