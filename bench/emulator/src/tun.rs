//! IP packets between two network devices.

use std::sync::Arc;
use std::sync::mpsc::Sender;
use std::time::{Duration, Instant};

use serde_json::Value;
use tun_rs::{DeviceBuilder, SyncDevice};

use crate::path::Direction;
use crate::{Carrier, Incoming, Input};

pub(crate) struct Tunnel {
    devices: [Arc<SyncDevice>; 2],
}

impl Tunnel {
    /// Makes the devices, without addresses and down. They end with the process.
    pub(crate) fn new(names: [&str; 2], inputs: &Sender<Input>) -> Result<Self, String> {
        let open = |name: &str| {
            let device = DeviceBuilder::new().name(name).enable(false).build_sync();
            device.map(Arc::new).map_err(|error| format!("device {name}: {error}; that needs root on Linux"))
        };
        let devices = [open(names[0])?, open(names[1])?];
        for (reader, device) in devices.iter().enumerate() {
            let (device, inputs) = (device.clone(), inputs.clone());
            std::thread::spawn(move || read(&device, reader, &inputs));
        }
        Ok(Self { devices })
    }
}

fn read(device: &SyncDevice, reader: usize, inputs: &Sender<Input>) {
    let mut buffer = vec![0; 65_536];
    loop {
        let Ok(len) = device.recv(&mut buffer) else {
            // It is down, until whoever started this has set it up.
            std::thread::sleep(Duration::from_millis(10));
            continue;
        };
        let packet = Incoming { at: Instant::now(), reader, bytes: buffer[..len].to_vec(), from: None };
        if inputs.send(Input::Packet(packet)).is_err() {
            return;
        }
    }
}

impl Carrier for Tunnel {
    fn route(&mut self, packet: &Incoming, _: &Sender<Input>) -> Result<(Direction, usize), String> {
        // What is read at one device goes to the other one.
        let direction = if packet.reader == 0 { Direction::Forth } else { Direction::Back };
        Ok((direction, 1 - packet.reader))
    }

    fn deliver(&mut self, route: usize, bytes: &[u8]) {
        // A device that is down takes nothing.
        let _ = self.devices[route].send(bytes);
    }

    fn candidate(&mut self, _: &Value, _: &Sender<Input>) -> Result<Value, String> {
        Err("only a relay has addresses".into())
    }
}
