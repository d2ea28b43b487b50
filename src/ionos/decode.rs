//! What is in an answer: the object that was asked for, or why it cannot be read.

use serde::de::DeserializeOwned;

use super::ApiError;
use super::paging::Named;
use super::transport::{ApiReply, carried_out};

/// Encodes a request body.
pub(super) fn to_json(value: &impl serde::Serialize) -> Result<serde_json::Value, ApiError> {
    serde_json::to_value(value).map_err(|why| ApiError::undetermined(why.to_string()))
}

/// A successful answer's body as what it should be.
pub(super) fn decode_reply<T: DeserializeOwned>(reply: &ApiReply) -> Result<T, ApiError> {
    if !(200..=299).contains(&reply.status) {
        return Err(ApiError::from_answer(reply.status, &String::from_utf8_lossy(&reply.body)));
    }
    // Text that is known to be UTF-8 need not be looked at again for each field.
    let text = std::str::from_utf8(&reply.body).map_err(|why| unreadable_reply(reply, &why.to_string()))?;
    serde_json::from_str(text).map_err(|why| unreadable_reply(reply, &why.to_string()))
}

/// An answer without the id of its object is as good as lost.
pub(super) fn require_id<T: Named>(object: T, reply: &ApiReply) -> Result<T, ApiError> {
    if object.object_id().display_text().is_empty() {
        Err(unreadable_reply(reply, "it has no `id`"))
    } else {
        Ok(object)
    }
}

/// An answer that says that the request was carried out, and nothing else that can be read.
fn unreadable_reply(reply: &ApiReply, why: &str) -> ApiError {
    let text = String::from_utf8_lossy(&reply.body);
    let message = if text.trim().is_empty() {
        format!("the API answered {} with an empty body", reply.status)
    } else if text.trim_start().starts_with('<') {
        format!(
            "the API answered {} with a page instead of JSON: {}",
            reply.status,
            super::error::summarize_body(&text)
        )
    } else {
        format!("the API answered {} with malformed JSON: {why}", reply.status)
    };
    ApiError { carried_out: carried_out(reply.status, reply.made.as_ref()), ..ApiError::unclear(message) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ionos::model::Token;

    #[test]
    fn unreadable_answers_are_described() {
        let reply = |body: &str| ApiReply { body: body.as_bytes().to_vec(), ..ApiReply::empty(201) };
        let said = |body: &str| decode_reply::<Token>(&reply(body)).unwrap_err().message;
        assert_eq!(said(""), "the API answered 201 with an empty body");
        assert_eq!(said("<html><p>hello</p></html>"), "the API answered 201 with a page instead of JSON: hello");
        assert!(said("{\"id\": ").contains("malformed JSON"));
        assert!(require_id(Token::default(), &reply("{}")).unwrap_err().message.contains("no `id`"));
    }
}
