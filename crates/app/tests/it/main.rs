//! The program as its users meet it: the real binary, over real HTTP, against scripted providers.

mod architecture;
mod bad_input;
mod cli;
mod crash;
mod fallback;
mod host;
mod reference;
mod reload;
mod route;
mod sdk;
mod stream;
mod support;
