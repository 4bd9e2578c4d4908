"""How people log in: at the issuer, by the authorization code flow with PKCE."""
