//! The agent layer as `ts/agent` sees it: one class per state machine of `ossa_agent`, with the system's clock. Nothing in here
//! knows a connection or a signaling server.

mod auth;
mod calls;
mod reconnect;
mod schedule;
mod session;
mod transfer;
