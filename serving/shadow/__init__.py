"""The challenger: what another version of the model would have said of live requests. Stored, never shown."""
