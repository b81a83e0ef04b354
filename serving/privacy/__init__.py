"""What people may ask for about what is stored of them: export, correction, erasure; and retention."""
