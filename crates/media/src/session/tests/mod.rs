//! Two sessions, a link with loss and delay between them, in virtual time.

mod demux;
mod hostile;
mod link;
mod media;
mod narrow;
mod rate;
mod reports;
mod requests;
mod silence;
