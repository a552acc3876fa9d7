"""The judge of servers: numbered checks of the contract, and the one gate through which each request goes."""
