//! SIP messages, transactions and dialogs, without clock or socket.
