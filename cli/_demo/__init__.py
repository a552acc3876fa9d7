"""What `safelight demo` is made of: a client with its orders, displays, a contact sheet, a recorder."""
