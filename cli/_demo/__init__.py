"""What `safelight demo` is made of: orders, a client, two displays, timelines, a contact sheet."""
