//! Whether a decoder that has seen what was handed out can go on with a frame.

use crate::payload::Layer;

/// A stream has at most eight temporal layers.
const ALL_LAYERS: u8 = 7;

/// What of a stream is whole.
#[derive(Debug, Default)]
pub(super) enum Dependencies {
    /// Nothing: a key frame has to come.
    #[default]
    Broken,
    /// All frames of the layers up to this one; and the number of the last frame of the lowest layer, if they have numbers.
    Whole { up_to: u8, base: Option<u8> },
}

impl Dependencies {
    /// A frame was lost. If frames of the lowest layer have numbers, the next one tells whether that was one of them.
    pub(super) fn lose(&mut self) {
        *self = match *self {
            Self::Whole { base: Some(base), .. } => Self::Whole { up_to: 0, base: Some(base) },
            _ => Self::Broken,
        };
    }

    /// A key frame has to come.
    pub(super) fn is_broken(&self) -> bool {
        matches!(self, Self::Broken)
    }

    /// Whether a frame can be decoded; if it can, it counts as seen.
    pub(super) fn admit(&mut self, key_frame: bool, layer: Option<Layer>) -> bool {
        if key_frame {
            *self = Self::Whole { up_to: ALL_LAYERS, base: layer.and_then(|layer| layer.base) };
            return true;
        }
        let Self::Whole { up_to, base } = self else { return false };
        let Some(layer) = layer else {
            // Without layers all frames are of the lowest one, and nothing was lost.
            return *up_to == ALL_LAYERS;
        };
        let follows = match (layer.temporal, *base, layer.base) {
            (0, Some(last), Some(this)) => this == last.wrapping_add(1),
            (_, Some(last), Some(this)) => this == last,
            _ => *up_to == ALL_LAYERS,
        };
        if !follows {
            *self = Self::Broken;
            return false;
        }
        if layer.temporal == 0 {
            *base = layer.base;
        }
        if layer.temporal > *up_to {
            if !layer.sync {
                return false;
            }
            if layer.temporal == *up_to + 1 {
                *up_to = layer.temporal;
            }
        }
        if layer.switch {
            *up_to = ALL_LAYERS;
        }
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn layer(temporal: u8, base: u8, sync: bool) -> Option<Layer> {
        Some(Layer { temporal, sync, switch: false, base: Some(base) })
    }

    #[test]
    fn nothing_goes_on_before_a_key_frame_nor_after_a_loss() {
        let mut seen = Dependencies::default();
        assert!(!seen.admit(false, None));
        assert!(seen.admit(true, None));
        assert!(seen.admit(false, None));
        seen.lose();
        assert!(seen.is_broken());
        assert!(!seen.admit(false, None));
        assert!(seen.admit(true, None));
    }

    #[test]
    fn a_lost_frame_of_a_higher_layer_needs_no_key_frame() {
        let mut seen = Dependencies::default();
        assert!(seen.admit(true, layer(0, 255, false)));
        seen.lose();
        assert!(!seen.admit(false, layer(1, 255, false)), "may refer to the lost one");
        assert!(seen.admit(false, layer(0, 0, false)));
        assert!(seen.admit(false, layer(2, 0, true)), "refers to the lowest layer only");
        assert!(!seen.admit(false, layer(2, 0, false)), "may refer to layer 1");
        assert!(seen.admit(false, layer(1, 0, true)));
        assert!(seen.admit(false, layer(1, 0, false)));
        assert!(!seen.is_broken());
    }

    #[test]
    fn a_lost_frame_of_the_lowest_layer_needs_one() {
        let mut seen = Dependencies::default();
        assert!(seen.admit(true, layer(0, 7, false)));
        seen.lose();
        assert!(!seen.admit(false, layer(0, 9, false)));
        assert!(seen.is_broken());
        assert!(seen.admit(true, layer(0, 12, false)));
        assert!(!seen.admit(false, layer(1, 13, true)), "its frame of the lowest layer is missing");
    }

    #[test]
    fn a_switching_point_of_vp9_opens_all_layers() {
        let mut seen = Dependencies::default();
        assert!(seen.admit(true, layer(0, 1, false)));
        seen.lose();
        assert!(seen.admit(false, Some(Layer { temporal: 0, sync: false, switch: true, base: Some(2) })));
        assert!(seen.admit(false, layer(2, 2, false)));
    }
}
