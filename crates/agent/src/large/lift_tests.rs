use super::*;
use proptest::prelude::*;
use serde_json::Value;

fn message(payload: &str) -> String {
    format!(r#"{{"type":"message","id":"1","payload":{payload},"metadata":{{"agentId":"agent://a"}}}}"#)
}

/// The text that a lifted string stands for; a lone surrogate becomes U+FFFD.
fn value(string: &LongString, text: &str) -> String {
    match string {
        LongString::Slice(range) => text[range.clone()].to_owned(),
        LongString::Ascii(bytes) => String::from_utf8(bytes.clone()).unwrap(),
        LongString::Utf16(units) => String::from_utf16_lossy(units),
    }
}

/// Puts the strings in again, as JavaScript does it.
fn restore(value: &mut Value, strings: &[String], count: &mut usize) {
    match value {
        Value::String(text) => {
            if let Some(number) = text.strip_prefix(PLACEHOLDER) {
                *text = strings[number.parse::<usize>().unwrap()].clone();
                *count += 1;
            }
        }
        Value::Array(items) => items.iter_mut().for_each(|item| restore(item, strings, count)),
        Value::Object(members) => members.values_mut().for_each(|item| restore(item, strings, count)),
        _ => {}
    }
}

fn assert_same(text: &str, expected: usize) {
    let lifted = lift(text.as_bytes()).unwrap();
    let strings: Vec<String> = lifted.strings.iter().map(|string| value(string, text)).collect();
    assert_eq!(strings.len(), expected);
    assert!(lifted.skeleton.len() < 300, "{}", lifted.skeleton.len());
    let mut restored: Value = serde_json::from_str(&lifted.skeleton).unwrap();
    let mut count = 0;
    restore(&mut restored, &strings, &mut count);
    assert_eq!(count, expected);
    assert_eq!(restored, serde_json::from_str::<Value>(text).unwrap());
}

#[test]
fn long_strings_are_taken_out_wherever_they_are() {
    let long = "x".repeat(LONG);
    assert_same(&message(&format!("\"{long}\"")), 1);
    assert_same(&message(&format!(r#"{{"a":[1,{{"b":"{long}"}}],"short":"x,\"y","c":"{long}!"}}"#)), 2);
}

#[test]
fn escapes_and_wide_characters_are_what_json_says() {
    for unit in [r"\n", r#"\"\\\/\b\f\r\t"#, r"é", "ä", "漢\\n", "😀", r"😀", "\u{2028}\u{7f}"] {
        assert_same(&message(&format!(r#"{{"text":"{}"}}"#, unit.repeat(LONG))), 1);
    }
}

#[test]
fn half_a_surrogate_pair_survives() {
    let text = message(&format!(r#""{}\ud83d""#, "x".repeat(LONG)));
    let LongString::Utf16(units) = &lift(text.as_bytes()).unwrap().strings[0] else { panic!("not UTF-16") };
    assert_eq!((units.len(), units[LONG]), (LONG + 1, 0xd83d));
}

#[test]
fn plain_text_is_not_copied() {
    let text = message(&format!("\"{}\"", "x".repeat(LONG)));
    let start = text.find("xx").unwrap();
    assert_eq!(lift(text.as_bytes()).unwrap().strings, [LongString::Slice(start..start + LONG)]);
}

#[test]
fn what_could_be_taken_for_a_placeholder_is_left_alone() {
    let long = "x".repeat(LONG);
    for other in ["\u{7f}0", r"\u007f0", r"\u0041"] {
        assert_eq!(lift(message(&format!(r#"["{long}","{other}"]"#)).as_bytes()), None);
        assert_eq!(lift(message(&format!(r#"["{other}","{long}"]"#)).as_bytes()), None);
    }
}

#[test]
fn what_is_no_json_is_left_to_the_parser() {
    let long = "x".repeat(LONG);
    for payload in [
        format!("\"{long}"),
        format!("\"{long}\n\""),
        format!("\"{long}\\x\""),
        format!("\"{long}\\u12\""),
        format!("\"{long}\\"),
    ] {
        let lifted = lift(message(&payload).as_bytes());
        assert!(lifted.is_none_or(|lifted| serde_json::from_str::<Value>(&lifted.skeleton).is_err()));
    }
    let mut text = message(&format!("\"{long}\"")).into_bytes();
    text[200] = 0xff;
    assert_eq!(lift(&text), None);
}

#[test]
fn calls_errors_and_strangers_are_read_as_they_stand() {
    let long = "x".repeat(LONG);
    for kind in ["capability_call", "capability_response", "error"] {
        let text = message(&format!("\"{long}\"")).replacen("message", kind, 1);
        assert_eq!(lift(text.as_bytes()), None);
    }
    assert_eq!(lift(format!(r#"{{"id":"1","type":"message","payload":"{long}"}}"#).as_bytes()), None);
    assert!(lift(message(&format!("\"{long}\"")).replacen("message", "errors", 1).as_bytes()).is_some());
}

#[test]
fn records_are_not_worth_it() {
    let records = r#"{"id":1,"name":"a name"},"#.repeat(100_000);
    assert_eq!(lift(message(&format!("[{records}{{}}]")).as_bytes()), None);
    let long = "x".repeat(LONG);
    assert_eq!(lift(message(&format!("[\"{long}\",{records}{{}}]")).as_bytes()), None);
}

proptest! {
    #[test]
    fn the_skeleton_is_json_if_and_only_if_the_whole_is(
        parts in proptest::collection::vec(
            prop_oneof![
                Just("LONG".to_owned()),
                "[\\[\\]{},:\"\\\\ 1a\u{1}]{0,4}",
                Just("\"LONG\"".to_owned()),
                Just(r#""k":"#.to_owned()),
            ],
            0..8,
        )
    ) {
        let text = message(&parts.concat().replace("LONG", &"x".repeat(LONG)));
        if let Some(lifted) = lift(text.as_bytes()) {
            prop_assert_eq!(
                serde_json::from_str::<Value>(&lifted.skeleton).is_ok(),
                serde_json::from_str::<Value>(&text).is_ok()
            );
        }
    }
}
