// A session of messages that outlives the connection below its link. Knows nothing of what the messages say.
//
// A call opens it (see `opening.ts`), then it has a channel of its own, ordered and reliable, with the session's id as label. What goes
// through is text, a letter and a rest:
//
//   p  a part of a message that is not its last        a  how many messages have been dealt with, in all
//   m  a message, or its last part                     e  the end, with `{code, message}` if it is an error
//
// Messages are numbered from 1 by counting. What has not been acknowledged is kept, and after a loss of the connection sent again through
// the next channel, from where the other side says that it stands: nothing is lost, nothing comes twice. The same acknowledgements are the
// flow control.
export { checkLimits, DEFAULT_MESSAGE_BYTES, WINDOW, type SessionLimits } from './limits';
export { answerOf, opening, SESSION_PROTOCOL, type Answer, type Opening } from './opening';
export { Session, type SessionHost } from './session';
