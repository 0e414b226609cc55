//! What every room of the binding stands on: errors, checks of values, the system's clock, names and keys of agents. Nothing in
//! here knows a connection, a session or a server.

pub(crate) mod agent_error;
pub(crate) mod error;
pub(crate) mod identity;
pub(crate) mod lock;
pub(crate) mod system;
pub(crate) mod values;
