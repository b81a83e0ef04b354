"""This project's features and trainer on the card payments of a published book, by the book's own protocol."""
