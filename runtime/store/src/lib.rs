//! What is kept, behind one trait of domain verbs.
