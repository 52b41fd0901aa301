"""What requests and answers hold; what is not named here is refused."""
