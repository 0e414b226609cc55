//! Word to the service manager, for the program's command `signal`.

use napi::Result;
use napi_derive::napi;
use ossa_signaling::code;

use crate::base::agent_error::coded;

/// Sends `state` to the service manager that listens at `socket`, as `sd_notify(3)` does. Throws a coded error if it cannot.
#[napi]
#[cfg_attr(test, allow(dead_code, reason = "JavaScript calls it, and test builds register nothing there"))]
pub(crate) fn notify_service_manager(socket: String, state: String) -> Result<()> {
    ossa_signaling::notify(&socket, &state)
        .map_err(|error| coded(code::INTERNAL_ERROR, format!("{socket}: {error}")))
}
